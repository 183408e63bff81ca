import { configureGlobal } from 'fast-check'

// The same histories each time, so that a mutant that survives today survives tomorrow.
configureGlobal({ seed: 20_261_122 })
