//! The binary: an allocator that keeps its pages, and the command line.

/// Every tensor is a fresh allocation; the system's allocator gives such pages back and faults them in again each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    finetop::cli::main()
}
