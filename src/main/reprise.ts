/** The engine binary: the command line, `reprise web` and `reprise engine-host` are its verbs. */
export {}
