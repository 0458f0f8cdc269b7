//! The binary: nothing but the command line.
fn main() -> std::process::ExitCode {
    zhanggui::cli::main()
}
