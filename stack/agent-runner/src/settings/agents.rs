//! What agents may do.

use std::{path::PathBuf, time::Duration};

use stigmer_process::{SettingError, text};

use super::above_zero;
use crate::mcp::Limits;

/// What agents may do.
#[derive(Clone, Debug)]
pub struct AgentSettings {
    /// How often the models of one execution may be asked, its sub-agents' included.
    pub max_turns: u32,
    /// How long MCP servers may take.
    pub mcp: Limits,
    /// Where each execution that needs one gets a folder of its own.
    pub workspace_root: PathBuf,
}

impl AgentSettings {
    /// Reads them from the environment.
    pub fn from_env() -> Result<Self, SettingError> {
        let seconds = |variable, default| Ok(Duration::from_secs(above_zero(variable, default)?));
        Ok(Self {
            max_turns: u32::try_from(above_zero("STIGMER_AGENT_MAX_TURNS", 50)?)
                .unwrap_or(u32::MAX),
            mcp: Limits {
                start: seconds("STIGMER_MCP_START_TIMEOUT", 30)?,
                call: seconds("STIGMER_MCP_CALL_TIMEOUT", 60)?,
            },
            workspace_root: text("SANDBOX_ROOT_DIR").map_or_else(default_root, PathBuf::from),
        })
    }
}

fn default_root() -> PathBuf {
    let stigmer = text("HOME").map(|home| PathBuf::from(home).join(".stigmer"));
    stigmer
        .unwrap_or_else(|| std::env::temp_dir().join("stigmer"))
        .join("workspace")
}
