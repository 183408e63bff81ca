// For TypeScript that compiles to CommonJS. Written by `npm run types:require`.
import type * as module from '../dist/express/index.js' with { 'resolution-mode': 'import' }

export type * from '../dist/express/index.js' with { 'resolution-mode': 'import' }
export declare const RequestError: typeof module.RequestError
export type RequestError = module.RequestError
export declare const addressKey: typeof module.addressKey
export declare const chargeOf: typeof module.chargeOf
export declare const expressLimit: typeof module.expressLimit
