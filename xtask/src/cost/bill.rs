//! The sum, and how it is shown.

use std::fmt::Write;

use anyhow::Result;

use super::meter::Usage;
use super::prices::{Architecture, Item, Prices};

/// By how much durations on AWS may differ from those of this machine.
const SLOWER: f64 = 10.0;

/// A table in Markdown: every item with its amount and price, and the sum; or with so many times the durations.
pub fn table(title: &str, usage: &Usage, prices: &Prices) -> Result<String> {
    let mut text = format!("{title}\n\n| Item | Amount | x86_64 | arm64 | Price from |\n|---|---:|---:|---:|---|\n");
    for (item, amount) in usage.iter() {
        let price = prices.get(item)?;
        let [x86, arm] = [Architecture::X86, Architecture::Arm].map(|architecture| price.of(amount, architecture));
        writeln!(
            text,
            "| {} | {} | ${x86:.4} | ${arm:.4} | {} |",
            price.unit,
            shown(amount),
            price.page
        )?;
    }
    let [x86, arm] = sums(usage, prices)?;
    writeln!(text, "| **sum** | | **${x86:.2}** | **${arm:.2}** | |")?;
    let [x86, arm] = sums(&slower(usage), prices)?;
    writeln!(text, "| with {SLOWER} × the durations | | ${x86:.2} | ${arm:.2} | |")?;
    Ok(text)
}

fn sums(usage: &Usage, prices: &Prices) -> Result<[f64; 2]> {
    let mut sums = [0.0, 0.0];
    for (item, amount) in usage.iter() {
        let price = prices.get(item)?;
        for (sum, architecture) in sums.iter_mut().zip([Architecture::X86, Architecture::Arm]) {
            *sum += price.of(amount, architecture);
        }
    }
    Ok(sums)
}

fn slower(usage: &Usage) -> Usage {
    let mut slower = usage.clone();
    for (item, amount) in usage.iter() {
        if item == Item::LambdaGbSeconds {
            slower.add(item, amount * (SLOWER - 1.0));
        }
    }
    slower
}

/// Whole where it is large, three digits where it is small.
fn shown(amount: f64) -> String {
    if amount >= 100.0 {
        format!("{amount:.0}")
    } else {
        format!("{amount:.3}")
    }
}

#[cfg(test)]
mod tests {
    use local_stack::workspace;

    use super::*;

    #[test]
    fn a_table_adds_up_and_only_durations_grow() {
        let prices = Prices::read(&workspace::root().join("xtask/prices.yaml")).unwrap();
        let mut usage = Usage::default();
        usage.add(Item::Secrets, 2.0);
        usage.add(Item::LambdaGbSeconds, 10.0);
        let once = [Item::Secrets, Item::LambdaGbSeconds].map(|item| {
            let amount = if item == Item::Secrets { 2.0 } else { 10.0 };
            prices.get(item).unwrap().of(amount, Architecture::X86)
        });
        let [sum, _] = sums(&usage, &prices).unwrap();
        assert!((sum - once[0] - once[1]).abs() < 1e-12);
        let [sum, _] = sums(&slower(&usage), &prices).unwrap();
        assert!((sum - once[0] - 10.0 * once[1]).abs() < 1e-12);
        let text = table("A title", &usage, &prices).unwrap();
        assert!(text.starts_with("A title\n\n|") && text.contains("| secrets | 2.000 |"), "{text}");
    }
}
