fn main() {
    stigmer_agent_runner::main()
}
