import { parentPort } from 'node:worker_threads'
import './worker.ts'

/* The file that `StoreThread` starts. Its name is unlikely to be that of a file of the program. */

// The proof that `proof.ts` looks for, and the first message of the thread.
parentPort?.postMessage('vsa-sqlite-thread 0.1.0', [])
