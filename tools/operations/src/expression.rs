//! CloudWatch's metric math for one period, as far as the template's alarms use it: numbers, names,
//! `+ - * /`, comparisons, `AND`, `OR`, `IF`, `FILL`, `DAY` and `HOUR`. (Source: "Using metric math
//! with CloudWatch metrics".)

use anyhow::{Context, Result, bail, ensure};

/// The values of an expression's names.
pub struct Scope<'a> {
    /// The period's value of another metric or expression by its id; `None` where there is no data.
    pub value: &'a dyn Fn(&str) -> Result<Option<f64>>,
    /// When the period begins: milliseconds since 1970.
    pub at: i64,
}

impl std::fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scope")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// The period's value; `None` where there is no data.
///
/// # Errors
/// The expression uses anything else.
pub fn evaluate(expression: &str, scope: &Scope<'_>) -> Result<Option<f64>> {
    let mut reader = Reader {
        tokens: tokens(expression),
        next: 0,
        scope,
    };
    let value = reader.disjunction()?;
    ensure!(
        reader.next == reader.tokens.len(),
        "not read to its end: {expression}"
    );
    Ok(value)
}

fn tokens(expression: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut previous = ' ';
    for character in expression.chars() {
        let is_word =
            |character: char| character.is_alphanumeric() || character == '_' || character == '.';
        let goes_on =
            is_word(character) && is_word(previous) || character == '=' && "<>=".contains(previous);
        match tokens.last_mut() {
            Some(token) if goes_on => token.push(character),
            _ if character.is_whitespace() => {}
            _ => tokens.push(character.to_string()),
        }
        previous = character;
    }
    tokens
}

struct Reader<'a> {
    tokens: Vec<String>,
    next: usize,
    scope: &'a Scope<'a>,
}

type Operation = fn(f64, f64) -> f64;

fn truth(is_true: bool) -> f64 {
    f64::from(u8::from(is_true))
}

impl Reader<'_> {
    fn disjunction(&mut self) -> Result<Option<f64>> {
        self.chain(Self::conjunction, |word| {
            (word == "OR").then_some(|left, right| truth(left != 0.0 || right != 0.0))
        })
    }

    fn conjunction(&mut self) -> Result<Option<f64>> {
        self.chain(Self::comparison, |word| {
            (word == "AND").then_some(|left, right| truth(left != 0.0 && right != 0.0))
        })
    }

    fn comparison(&mut self) -> Result<Option<f64>> {
        self.chain(Self::sum, |word| {
            let operation: Operation = match word {
                ">=" => |left, right| truth(left >= right),
                "<=" => |left, right| truth(left <= right),
                ">" => |left, right| truth(left > right),
                "<" => |left, right| truth(left < right),
                _ => return None,
            };
            Some(operation)
        })
    }

    fn sum(&mut self) -> Result<Option<f64>> {
        self.chain(Self::product, |word| {
            let operation: Operation = match word {
                "+" => |left, right| left + right,
                "-" => |left, right| left - right,
                _ => return None,
            };
            Some(operation)
        })
    }

    fn product(&mut self) -> Result<Option<f64>> {
        self.chain(Self::operand, |word| {
            let operation: Operation = match word {
                "*" => |left, right| left * right,
                "/" => |left, right| left / right,
                _ => return None,
            };
            Some(operation)
        })
    }

    /// Operands of one precedence, from left to right. No data on one side: no data in the result.
    fn chain(
        &mut self,
        operand: fn(&mut Self) -> Result<Option<f64>>,
        operation: fn(&str) -> Option<Operation>,
    ) -> Result<Option<f64>> {
        let mut left = operand(self)?;
        while let Some(operation) = self
            .tokens
            .get(self.next)
            .and_then(|token| operation(token))
        {
            self.next += 1;
            let right = operand(self)?;
            left = left.zip(right).map(|(left, right)| operation(left, right));
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Option<f64>> {
        let token = self.take()?;
        if token == "(" {
            let value = self.disjunction()?;
            self.expect(")")?;
            return Ok(value);
        }
        if let Ok(number) = token.parse() {
            return Ok(Some(number));
        }
        if self.tokens.get(self.next).is_none_or(|token| token != "(") {
            return (self.scope.value)(&token);
        }
        self.expect("(")?;
        let mut arguments = vec![self.disjunction()?];
        while self.tokens.get(self.next).is_some_and(|token| token == ",") {
            self.next += 1;
            arguments.push(self.disjunction()?);
        }
        self.expect(")")?;
        let seconds = self.scope.at.div_euclid(1_000);
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let time = |value: Option<f64>, part: i64| value.map(|_| part as f64);
        Ok(match (token.as_str(), arguments.as_slice()) {
            ("IF", [condition, then, otherwise]) => {
                condition.and_then(
                    |condition| {
                        if condition == 0.0 { *otherwise } else { *then }
                    },
                )
            }
            ("FILL", [value, filling]) => value.or(*filling),
            // 1 is Monday; 1970 began on a Thursday.
            ("DAY", [value]) => time(*value, (seconds.div_euclid(86_400) + 3).rem_euclid(7) + 1),
            ("HOUR", [value]) => time(*value, seconds.rem_euclid(86_400) / 3_600),
            other => bail!("not known here: {other:?}"),
        })
    }

    fn take(&mut self) -> Result<String> {
        let token = self.tokens.get(self.next).cloned();
        self.next += 1;
        token.context("the expression ends early")
    }

    fn expect(&mut self, wanted: &str) -> Result<()> {
        let token = self.take()?;
        ensure!(token == wanted, "expected {wanted}, saw {token}");
        Ok(())
    }
}
