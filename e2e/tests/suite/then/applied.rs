//! Section 2: what holds after every `stigmer apply`.

use stigmer_api::{Resource, agent::Agent, id::is_id, workflow::Workflow};
use stigmer_e2e::{
    ensure,
    harness::{Broken, CheckError, CliOutput, Environment, budget::APPLY},
};

/// A row of the table of deployed resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// `Agent` or `Workflow`.
    pub kind: String,
    /// The resource's name.
    pub name: String,
    /// `✓ Created` or `✓ Updated`.
    pub status: String,
    /// The resource's id.
    pub id: String,
}

impl Applied {
    /// Kind, name, and status: everything that a test can know in advance.
    pub fn known(&self) -> (&str, &str, &str) {
        (&self.kind, &self.name, &self.status)
    }
}

/// Exit code 0 within APPLY, nothing on standard error, success said once, a table of whole rows, as
/// many as are said to be applied, and every id of it resolving through the API to a resource of that
/// name.
pub async fn applied(
    environment: &Environment,
    output: &CliOutput,
) -> Result<Vec<Applied>, CheckError> {
    output.exited_with(0)?;
    environment
        .test()
        .within(APPLY, "stigmer apply", output.duration)?;
    ensure!(
        output.stderr.is_empty(),
        "`{}` wrote to standard error: {:?}",
        output.command_line,
        output.stderr
    );
    let announced = output.lines_with("Deployment successful");
    ensure!(
        announced == 1,
        "`{}` said `Deployment successful` {announced} times",
        output.command_line
    );
    let table = output.table()?;
    ensure!(
        table.columns == ["TYPE", "NAME", "STATUS", "ID"],
        "the columns are {:?}",
        table.columns
    );
    let mut rows = Vec::new();
    for row in table.rows {
        let row = row_of(row)?;
        let name = match row.kind.as_str() {
            "Agent" => stored_name::<Agent>(environment, &row).await?,
            "Workflow" => stored_name::<Workflow>(environment, &row).await?,
            _ => return Err(Broken(format!("unknown type in the table: {row:?}")).into()),
        };
        ensure!(
            name == row.name,
            "{} is {name:?} in the API, {:?} in the table",
            row.id,
            row.name
        );
        rows.push(row);
    }
    let tally = format!("Successfully applied {} resource(s)", rows.len());
    ensure!(
        !rows.is_empty() && output.lines_with(&tally) == 1,
        "`{}` printed {} rows and did not say once {tally:?}:\n{}",
        output.command_line,
        rows.len(),
        output.stdout
    );
    Ok(rows)
}

/// The name of what the API has under the id of `row`.
async fn stored_name<R: Resource>(
    environment: &Environment,
    row: &Applied,
) -> Result<String, CheckError> {
    ensure!(
        is_id(R::KIND, &row.id),
        "{:?} is no id of a {}",
        row.id,
        row.kind
    );
    let stored: R = environment.api().get(&row.id).await?;
    Ok(stored.name().to_owned())
}

fn row_of(cells: Vec<String>) -> Result<Applied, Broken> {
    let [kind, name, status, id]: [String; 4] = cells
        .try_into()
        .map_err(|cells| Broken(format!("a row with other cells than the header: {cells:?}")))?;
    Ok(Applied {
        kind,
        name,
        status,
        id,
    })
}

/// Exit code 0 within APPLY, nothing on standard error, and the table of a dry run as rows of type,
/// name, and action.
pub fn dry_run(
    environment: &Environment,
    output: &CliOutput,
) -> Result<Vec<Vec<String>>, CheckError> {
    output
        .exited_with(0)?
        .says("Dry run successful")?
        .does_not_say("Deployment")?;
    environment
        .test()
        .within(APPLY, "stigmer apply --dry-run", output.duration)?;
    ensure!(
        output.stderr.is_empty(),
        "`{}` wrote to standard error: {:?}",
        output.command_line,
        output.stderr
    );
    let table = output.table()?;
    ensure!(
        table.columns == ["TYPE", "NAME", "ACTION"],
        "the columns are {:?}",
        table.columns
    );
    Ok(table.rows)
}
