import { type Calendar, type Window, windowHolding } from './calendar.ts'

/** The window that holds a time, ms since 1970. */
export type WindowAt = (time: number) => Window

/** The number of cached windows, so that the current and the next period and late refunds use the same objects. */
const WINDOWS_KEPT = 8
/** Calendars that are shared; the others have no cache in common. */
const CALENDARS_MAX = 1_000

const shared = new Map<string, WindowAt>()

/** Keeps the last windows that `windowAt` computed. The same window is the same object while it is kept. */
export function keepingWindows(windowAt: WindowAt): WindowAt {
  const recent: Window[] = []
  return (time) => {
    for (const window of recent) if (time >= window.start && time < window.end) return window
    const window = windowAt(time)
    if (recent.unshift(window) > WINDOWS_KEPT) recent.pop()
    return window
  }
}

/** The windows of a calendar. Policies that differ only in their limits share them: a month in a time zone costs 0.1 ms to compute. */
export function windowsOf(calendar: Calendar): WindowAt {
  const name = JSON.stringify(calendar)
  const known = shared.get(name)
  if (known !== undefined) return known
  const windowAt = keepingWindows((time) => windowHolding(calendar, time))
  if (shared.size < CALENDARS_MAX) shared.set(name, windowAt)
  return windowAt
}
