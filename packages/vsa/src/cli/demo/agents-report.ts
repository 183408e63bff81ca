import { count, duration } from '../format.ts'
import type { Paint } from '../paint.ts'
import type { Report } from '../report.ts'
import { shellWord } from '../safe-text.ts'
import type { StoreTotals } from '../store-totals.ts'
import { columns, table } from '../table.ts'
import { AGENT_TTL_MS, ASKED, CREDITS } from './agent.ts'
import type { AgentsStory } from './agents.ts'

/** The report of the agents. @param store the name of the place where the store was kept; null for a temporary one */
export function agentsReport(story: AgentsStory, store: string | null, paint: Paint): Report {
  const { verified, isTrue: ok, ...told } = story
  const sections = [
    askedText(story, paint),
    killedText(story, paint),
    endText(story, paint),
    booksText(story, paint),
    ...(store === null ? [] : [`Look at the store:\n  vsa inspect ${shellWord(store)} demo-agents`]),
  ]
  return { ok, json: { ok, ...told, verify: verified.json, store }, text: sections.join('\n\n') }
}

function askedText({ agents }: AgentsStory, paint: Paint): string {
  const running = agents.filter(({ runs }) => runs).length
  return [
    paint.strong(
      `(a) ${count(agents.length)} agents, ${count(CREDITS)} credits, each reserves ${count(ASKED)} at the same time`,
    ),
    table(
      columns('  agent', 'reserve'),
      agents.map(({ name, runs }) => [
        `  ${name}`,
        runs ? `${count(ASKED)} are set aside: it runs` : 'null: it does not run',
      ]),
    ),
    verdict(paint, running === 1, '  One runs.', `  WRONG: ${count(running)} run.`),
  ].join('\n')
}

function killedText({ killed, metered, isNextAdmitted }: AgentsStory, paint: Paint): string {
  return [
    paint.strong(`(b) ${killed} is killed with SIGKILL in the middle of its stream`),
    `  It had metered ${count(metered)} credits, by its log. Its reservation is in the store.`,
    verdict(
      paint,
      !isNextAdmitted,
      `  Another process asks for ${count(ASKED)}: denied, they are set aside.`,
      `  WRONG: another process got ${count(ASKED)}.`,
    ),
    `  ${duration(AGENT_TTL_MS)} after the reserve it ends by itself: capture keeps all ${count(ASKED)}.`,
  ].join('\n')
}

function endText({ killed, metered, expiredAfterMs, settled, again }: AgentsStory, paint: Paint): string {
  const back = ASKED - settled.settled
  const isRight = settled.settled === metered && again.repeated && again.settled === metered
  return [
    paint.strong(`(c) ${duration(expiredAfterMs)} after the kill: another process has the log, and the id`),
    `  reservation('${killed}').settle(${metered}): ${count(settled.settled)} stay spent, ${count(back)} go back.`,
    `  settle(${ASKED}) once more: ${count(again.settled)}, ${again.repeated ? 'the outcome of before' : 'NOT REPEATED'}.`,
    verdict(paint, isRight, '  Settled once, to the credit.', '  WRONG: not what was metered.'),
  ].join('\n')
}

const UNITS = [
  'used',
  'reserved',
  'pool',
  'burned',
  'leased',
  'minted',
] as const satisfies readonly (keyof StoreTotals)[]

function booksText({ atDeath, expired, atEnd, verified, isTrue }: AgentsStory, paint: Paint): string {
  return [
    paint.strong('(d) The books'),
    table(
      columns('  the store', '>just killed', '>expired', '>settled'),
      UNITS.map((name) => [`  ${name}`, count(atDeath[name]), count(expired[name]), count(atEnd[name])]),
    ),
    verdict(
      paint,
      verified.ok,
      '  vsa verify: minted = used + reserved + pool + burned + leased.',
      '  vsa verify: THE BOOKS DO NOT BALANCE.',
    ),
    verdict(
      paint,
      isTrue,
      `  Never more than ${count(CREDITS)} were given, and ${count(atEnd.used)} were paid for.`,
      '  WRONG: not what the agents were told.',
    ),
  ].join('\n')
}

function verdict(paint: Paint, isTrue: boolean, yes: string, no: string): string {
  return isTrue ? paint.good(yes) : paint.bad(no)
}
