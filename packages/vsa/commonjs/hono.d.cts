// For TypeScript that compiles to CommonJS. Written by `npm run types:require`.
import type * as module from '../dist/hono/index.js' with { 'resolution-mode': 'import' }

export type * from '../dist/hono/index.js' with { 'resolution-mode': 'import' }
