fn main() {
    stigmer_workflow_runner::main()
}
