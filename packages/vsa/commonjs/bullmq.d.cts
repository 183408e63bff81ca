// For TypeScript that compiles to CommonJS. Written by `npm run types:require`.
import type * as module from '../dist/bullmq/index.js' with { 'resolution-mode': 'import' }

export type * from '../dist/bullmq/index.js' with { 'resolution-mode': 'import' }
export declare const limitProcessor: typeof module.limitProcessor
