/** Collects garbage. @throws Error without `--expose-gc` */
export function collector(): () => void {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('run with node --expose-gc')
  return () => {
    gc()
  }
}
