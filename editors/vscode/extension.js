// Starts `zhanggui lsp` and lets VS Code talk to it; everything else is in the server.
const { workspace } = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

let client;

function activate(context) {
  const settings = workspace.getConfiguration("zhanggui");
  const server = { command: settings.get("path"), args: ["lsp"], transport: TransportKind.stdio };
  client = new LanguageClient("zhanggui", "Zhanggui", server, {
    documentSelector: [{ scheme: "file", language: "zhanggui" }],
    initializationOptions: settings.get("docs") ? { docs: settings.get("docs") } : {},
    synchronize: { fileEvents: workspace.createFileSystemWatcher("**/{*.policy,*.vocab,*.cases,*.csv,rulebook.toml}") },
  });
  context.subscriptions.push(client);
  return client.start();
}

function deactivate() {
  return client?.stop();
}

module.exports = { activate, deactivate };
