export { VsaStore, type ClientInfo, type LimiterOptions, type VsaStoreOptions } from './vsa-store.ts'
export type { DropInOptions } from '../drop-ins/drop-in-options.ts'
