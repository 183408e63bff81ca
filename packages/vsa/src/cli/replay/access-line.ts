import { type Logged, bad } from './logged.ts'

/**
 * The common and combined formats of Apache and the combined format of nginx: host, ident, user, [time], "request", status, bytes. The
 * referer and the agent may follow, or other fields; they never make a line bad. Each part excludes the character that ends it, so that
 * every line takes one pass.
 */
const LINE = /^(\S+) (\S+) ([^[]*) \[([^\]]{1,64})\] "([^"\\]*(?:\\.[^"\\]*)*)" (\d{3}|-) (\d+|-)(?: |$)/
const QUOTED = /"([^"\\]*(?:\\.[^"\\]*)*)"(?: |$)/y
const TIME = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Parses one line of an access log. A part that the server did not know is `-`. */
export function parseAccessLine(line: string): Logged {
  const match = LINE.exec(line)
  if (match === null) return bad('not in the combined log format')
  const [whole, ip = '-', , user = '-', timeText = '', request = '', status = '-', bytes = '-'] = match
  const at = parseLogTime(timeText)
  if (at === null) return bad('not a time')
  const { method, path, protocol } = parseRequestLine(request)
  const [referer, agent] = quotedFrom(line, whole.length)
  return {
    kind: 'request',
    at,
    isWholeSecond: true,
    cost: 1,
    fields: { ip, user, method, path, protocol, status, bytes, referer, agent },
  }
}

/** Parses a time such as `17/May/2015:10:05:03 +0000` into ms since 1970; null when it is not one. */
export function parseLogTime(text: string): number | null {
  const [whole, day, monthName, year, hour, minute, second, sign, zoneHours, zoneMinutes] = TIME.exec(text) ?? []
  const month = MONTHS.indexOf(monthName ?? '')
  if (whole === undefined || month < 0) return null
  const [hours, minutes, seconds] = [Number(hour), Number(minute), Number(second)]
  const midnight = Date.UTC(Number(year), month, Number(day))
  const isReal = new Date(midnight).getUTCDate() === Number(day) && hours < 24 && minutes < 60 && seconds <= 60
  if (!isReal || midnight < 0) return null
  const offsetMinutes = (sign === '-' ? -1 : 1) * (Number(zoneHours) * 60 + Number(zoneMinutes))
  return midnight + ((hours * 60 + minutes - offsetMinutes) * 60 + seconds) * 1_000
}

/** A client may send anything as a request line: where it has no path, the path is `-`. The query is left out. */
function parseRequestLine(request: string): {
  readonly method: string
  readonly path: string
  readonly protocol: string
} {
  const [method = '-', target, protocol = '-', ...rest] = request.split(' ')
  if (target === undefined || target === '' || rest.length > 0) return { method: '-', path: '-', protocol: '-' }
  return { method, path: target.replace(/[?#].*$/su, ''), protocol }
}

function quotedFrom(line: string, index: number): readonly [referer: string, agent: string] {
  QUOTED.lastIndex = index
  const referer = QUOTED.exec(line)?.[1]
  const agent = referer === undefined ? undefined : QUOTED.exec(line)?.[1]
  return [referer ?? '-', agent ?? '-']
}
