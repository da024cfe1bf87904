/** The preload: the UI contract's transport for the sandboxed window, and nothing else. */
export {}
