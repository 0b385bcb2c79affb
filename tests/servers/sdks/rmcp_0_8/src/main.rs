#![allow(dead_code, deprecated)]

use rmcp::handler::server::{router::tool::ToolRouter, wrapper::Parameters};
use rmcp::model::*;
use rmcp::{tool, tool_handler, tool_router, transport::stdio, ErrorData, Peer, RoleServer, ServerHandler, ServiceExt};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Words {
    text: String,
}
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Numbers {
    a: i64,
    b: i64,
}

#[derive(Clone)]
struct Server {
    tool_router: ToolRouter<Server>,
}

#[tool_router]
impl Server {
    #[tool(description = "In capitals; says so in the log")]
    async fn shout(&self, Parameters(words): Parameters<Words>, peer: Peer<RoleServer>) -> Result<CallToolResult, ErrorData> {
        let message = serde_json_message(&words.text);
        let _ = peer.notify_logging_message(message).await;
        Ok(CallToolResult::success(vec![Content::text(words.text.to_uppercase())]))
    }
    #[tool(description = "A sum")]
    async fn add(&self, Parameters(numbers): Parameters<Numbers>) -> Result<CallToolResult, ErrorData> {
        Ok(CallToolResult::success(vec![Content::text((numbers.a + numbers.b).to_string())]))
    }
}

fn serde_json_message(text: &str) -> LoggingMessageNotificationParam {
    LoggingMessageNotificationParam { level: LoggingLevel::Warning, logger: None, data: format!("shouting {text}").into() }
}

#[tool_handler]
impl ServerHandler for Server {
    fn get_info(&self) -> ServerInfo {
        ServerInfo {
            capabilities: ServerCapabilities::builder().enable_tools().enable_logging().build(),
            ..Default::default()
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    Server { tool_router: Server::tool_router() }.serve(stdio()).await?.waiting().await?;
    Ok(())
}
