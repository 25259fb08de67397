//! Section 8: what holds after every command that has to fail.

use std::collections::BTreeMap;

use stigmer_e2e::{
    ensure,
    harness::{CheckError, CliOutput, Environment},
};

/// What the store held before a command that has to fail.
pub struct Refusal<'a> {
    environment: &'a Environment,
    before: BTreeMap<String, usize>,
}

impl<'a> Refusal<'a> {
    /// Looks at the store of `environment` before the command.
    pub fn expected(environment: &'a Environment) -> Result<Self, CheckError> {
        Ok(Self {
            environment,
            before: environment.store().counts()?,
        })
    }

    /// Exit code 1, at least one line that says what is wrong, no stack trace, and nothing new in
    /// the store.
    pub fn check(&self, output: &CliOutput) -> Result<(), CheckError> {
        output.exited_with(1)?;
        let said = !output.error_lines().is_empty()
            || output.lines.iter().any(|line| line.text.starts_with('✗'));
        ensure!(said, "`{}` failed without saying why", output.command_line);
        output
            .does_not_say("stack backtrace:")?
            .does_not_say("RUST_BACKTRACE")?;
        self.check_store(&output.command_line)
    }

    /// Nothing new in the store.
    pub fn check_store(&self, what: &str) -> Result<(), CheckError> {
        let after = self.environment.store().counts()?;
        ensure!(
            after == self.before,
            "{what} left something in the store: {:?}, before: {:?}",
            after,
            self.before
        );
        Ok(())
    }
}
