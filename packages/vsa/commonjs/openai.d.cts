// For TypeScript that compiles to CommonJS. Written by `npm run types:require`.
import type * as module from '../dist/openai/index.js' with { 'resolution-mode': 'import' }

export type * from '../dist/openai/index.js' with { 'resolution-mode': 'import' }
export declare const CallStoppedError: typeof module.CallStoppedError
export type CallStoppedError = module.CallStoppedError
export declare const meteredFetch: typeof module.meteredFetch
