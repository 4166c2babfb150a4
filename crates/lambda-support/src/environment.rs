//! The environment, read once, with everything that is wrong named at once.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A snapshot of the variables, and what was found wrong with them so far.
pub struct Environment {
    variables: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

/// What is wrong with one variable. Never shows a value: some are secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    Missing(&'static str),
    Malformed { name: &'static str, why: String },
}

/// Everything that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct EnvironmentError(Vec<Problem>);

impl Environment {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    pub fn of_process() -> Self {
        Self::of(std::env::vars())
    }

    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            variables: variables.into_iter().collect(),
            problems: Vec::new(),
        }
    }

    /// An empty variable counts as absent: `sam local` hands over unset parameters as empty text.
    fn text(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// The variable, parsed. `None` is noted as a problem, so that the caller can go on and find
    /// the others.
    pub fn required<T>(&mut self, name: &'static str) -> Option<T>
    where
        T: FromStr<Err: fmt::Display>,
    {
        let value = self.optional(name);
        if value.is_none() && self.text(name).is_none() {
            self.problems.push(Problem::Missing(name));
        }
        value
    }

    /// The variable, parsed; `None` if it is absent, or malformed (which is noted as a problem).
    pub fn optional<T>(&mut self, name: &'static str) -> Option<T>
    where
        T: FromStr<Err: fmt::Display>,
    {
        match self.text(name)?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problems.push(Problem::Malformed {
                    name,
                    why: T::Err::to_string(&error),
                });
                None
            }
        }
    }

    /// Notes a problem that only the caller could see.
    pub fn malformed(&mut self, name: &'static str, why: impl fmt::Display) {
        self.problems.push(Problem::Malformed {
            name,
            why: why.to_string(),
        });
    }

    /// The problems found by now; `None` if there are none.
    pub fn problems(&self) -> Option<EnvironmentError> {
        if self.problems.is_empty() {
            None
        } else {
            Some(EnvironmentError(self.problems.clone()))
        }
    }
}

impl fmt::Display for EnvironmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the environment is not complete:")?;
        for problem in &self.0 {
            match problem {
                Problem::Missing(name) => write!(f, " {name} is missing;")?,
                Problem::Malformed { name, why } => write!(f, " {name} is malformed ({why});")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("names", &self.variables.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::of(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    #[test]
    fn everything_malformed_is_named_at_once() {
        let mut environment = environment(&[("COUNT", "hidden"), ("EMPTY", " ")]);
        assert_eq!(environment.required::<u16>("COUNT"), None);
        assert_eq!(environment.required::<String>("EMPTY"), None);
        assert_eq!(environment.required::<String>("ABSENT"), None);
        let message = environment.problems().unwrap().to_string();
        for named in [
            "COUNT is malformed",
            "EMPTY is missing",
            "ABSENT is missing",
        ] {
            assert!(message.contains(named), "{message}");
        }
        assert!(!message.contains("hidden"), "{message}");
    }

    #[test]
    fn an_empty_variable_counts_as_absent() {
        let mut environment = environment(&[("AWS_ENDPOINT_URL", "")]);
        assert_eq!(environment.optional::<String>("AWS_ENDPOINT_URL"), None);
        assert_eq!(environment.problems(), None);
    }
}
