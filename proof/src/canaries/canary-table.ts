import type { Finding } from './find.ts'

const HEAD =
  '| rules | canary | what is planted | found by | tries | reported by |\n| --- | --- | --- | --- | ---: | --- |'

/** A Markdown table, in the order of the catalogue. */
export function canaryTable(findings: readonly Finding[], names: readonly string[]): string {
  const sorted = findings.toSorted((a, b) => names.indexOf(a.canary.name) - names.indexOf(b.canary.name))
  return [HEAD, ...sorted.map(rowOf)].join('\n')
}

function rowOf({ canary, caught, seeds, law, laws }: Finding): string {
  const { rules, name, what, foundBy } = canary
  const others = laws.filter((other) => other !== law)
  const by = caught ? [`**${law}**`, ...others].join(' ') : `not caught; ${laws.join(' ') || 'nothing was reported'}`
  return `| ${[rules.join(' '), `\`${name}\``, what, foundBy, String(seeds), by].join(' | ')} |`
}
