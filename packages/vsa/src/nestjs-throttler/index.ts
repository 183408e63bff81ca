export {
  throttlerStorage,
  type ThrottlerRecord,
  type ThrottlerStorage,
  type ThrottlerStorageOptions,
} from './storage.ts'
