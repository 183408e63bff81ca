import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The library as it is built and shipped. Canaries are copies of it with one place changed. */
export const SHIPPED: string = fileURLToPath(new URL('../../packages/vsa/dist', import.meta.url))

/**
 * One module of a built library.
 * @param folder the shipped build, or a canary's copy of it
 * @param file relative to `folder`, as in `core/apply-exchange.js`
 */
export async function moduleOf<T>(folder: string, file: string): Promise<T> {
  return (await import(pathToFileURL(join(folder, file)).href)) as T
}
