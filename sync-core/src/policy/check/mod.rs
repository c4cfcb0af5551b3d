//! Validation: knobs that contradict each other, or that together can lose data.

mod rules;
#[cfg(test)]
mod tests;

use super::Policy;
use std::fmt;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The policy must not be used.
    Error,
    /// The policy can be used, but probably does not do what is wanted.
    Warning,
    /// Something to know.
    Note,
}

/// Something that a policy's user should see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A stable name of the rule.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The flat keys concerned.
    pub keys: Vec<String>,
    /// What is wrong and what to do.
    pub text: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        write!(f, "{severity}: {} ({})", self.text, self.keys.join(", "))
    }
}

impl Policy {
    /// Everything that speaks against this policy, errors first.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        let findings = rules::RULES.iter().filter_map(|rule| {
            let keys = (rule.broken)(self);
            let finding = Finding { rule: rule.name, severity: rule.severity, keys, text: rule.text };
            (!finding.keys.is_empty()).then_some(finding)
        });
        let mut findings: Vec<Finding> = findings.collect();
        findings.sort_by_key(|finding| finding.severity);
        findings
    }
}

struct Rule {
    name: &'static str,
    severity: Severity,
    text: &'static str,
    /// The keys concerned; none if the policy keeps the rule.
    broken: fn(&Policy) -> Vec<String>,
}
