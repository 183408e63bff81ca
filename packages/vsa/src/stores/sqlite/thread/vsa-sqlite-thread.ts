import { parentPort } from 'node:worker_threads'
import './worker.ts'

/* The file that `StoreThread` starts. Its name is unlikely to be that of a program's own worker beside a bundle. */

// Proof that this is the file that was meant, of the same version: the first message of the thread. See `proof.ts`.
parentPort?.postMessage('vsa-sqlite-thread 0.1.0', [])
