//! List prices and what cannot be counted on a laptop, as `xtask/prices.yaml` has them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// What AWS charges for. The file has a price for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Item {
    LambdaRequests,
    LambdaGbSeconds,
    DynamodbWriteUnits,
    DynamodbReadUnits,
    DynamodbStorage,
    DynamodbRecovery,
    S3Writes,
    S3Reads,
    S3Storage,
    SqsRequests,
    EventbridgeEvents,
    SecretReads,
    Secrets,
    Logs,
    LogStorage,
    Metrics,
    Alarms,
    CompositeAlarms,
    Dashboards,
    Traces,
    Sent,
}

/// In US dollars, for `per` units.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    price: f64,
    arm64: Option<f64>,
    per: f64,
    /// What is counted.
    pub unit: String,
    /// The page that the price is from.
    pub page: String,
}

/// The functions' processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    X86,
    Arm,
}

impl Price {
    /// What so many units cost.
    pub fn of(&self, units: f64, architecture: Architecture) -> f64 {
        let price = match architecture {
            Architecture::X86 => self.price,
            Architecture::Arm => self.arm64.unwrap_or(self.price),
        };
        units * price / self.per
    }
}

/// See the comments in the file.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Assumptions {
    pub idle_receives_per_month: f64,
    pub reconciler_runs_per_month: f64,
    pub platform_log_bytes: f64,
    pub log_line_overhead_bytes: f64,
}

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    prices: BTreeMap<Item, Price>,
    pub assumptions: Assumptions,
}

impl Prices {
    /// Reads a file.
    ///
    /// # Errors
    /// It is not there, or not such a file; the message has the line.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_saphyr::from_str(&text).with_context(|| format!("{} has no prices", path.display()))
    }

    /// # Errors
    /// The file has none.
    pub fn get(&self, item: Item) -> Result<&Price> {
        self.prices.get(&item).with_context(|| format!("there is no price for {item:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use local_stack::workspace;

    #[test]
    fn the_file_has_a_price_for_everything_and_arm64_costs_less_where_it_differs() {
        let prices = Prices::read(&workspace::root().join("xtask/prices.yaml")).unwrap();
        // The last one's number is one less than how many there are.
        assert_eq!(prices.prices.len(), Item::Sent as usize + 1);
        for price in prices.prices.values() {
            assert!(price.of(1.0, Architecture::X86) > 0.0 && !price.page.is_empty(), "{price:?}");
            assert!(price.of(1.0, Architecture::Arm) <= price.of(1.0, Architecture::X86), "{price:?}");
        }
    }

    #[test]
    fn a_price_is_for_so_many_units() {
        let price = Price {
            price: 3.0,
            arm64: Some(1.5),
            per: 1_000.0,
            unit: String::new(),
            page: String::new(),
        };
        assert!((price.of(500.0, Architecture::X86) - 1.5).abs() < 1e-9);
        assert!((price.of(500.0, Architecture::Arm) - 0.75).abs() < 1e-9);
    }
}
