// For TypeScript that compiles to CommonJS. Written by `npm run types:require`.
import type * as module from '../dist/ai/index.js' with { 'resolution-mode': 'import' }

export type * from '../dist/ai/index.js' with { 'resolution-mode': 'import' }
export declare const CallDeniedError: typeof module.CallDeniedError
export type CallDeniedError = module.CallDeniedError
export declare const CallStoppedError: typeof module.CallStoppedError
export type CallStoppedError = module.CallStoppedError
export declare const meterLanguageModel: typeof module.meterLanguageModel
