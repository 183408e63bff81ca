import { readFileSync } from 'node:fs'

const MOUNT_INFO = '/proc/self/mountinfo'

/**
 * True when the path is itself a mount point, as a single file given to a container is.
 * @param path absolute, with symbolic links resolved
 * @param table where Linux lists the mounts; elsewhere there is none, and no file can be a mount point
 */
export function isMountPoint(path: string, table: string = MOUNT_INFO): boolean {
  return readTable(table)
    .split('\n')
    .some((line) => unescape(line.split(' ', 5)[4] ?? '') === path)
}

function readTable(table: string): string {
  try {
    return readFileSync(table, 'utf8')
  } catch {
    return ''
  }
}

/** Space, tab, newline and backslash are written in octal. */
function unescape(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}
