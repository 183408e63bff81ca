import { isReply, storeErrorOf, unsafe } from './errors.ts'
import { list, text } from './rows.ts'
import { INFO } from './scripts/open.ts'
import type { CheckedServer } from './life.ts'
import type { Session } from './session.ts'

/** What a server may do with acknowledged writes. */
export interface Safety extends CheckedServer {
  /** What would be lost, and when; empty for a server that forgets nothing. */
  readonly risks: readonly string[]
}

/** What was read of a server. A setting that may not be read is absent. */
export interface ServerFacts {
  readonly version: string | undefined
  readonly run: string | undefined
  /** The history of another master that it has taken over; zeros where it has none. */
  readonly formerReplication: string | undefined
  readonly isReplica: boolean
  readonly isCluster: boolean
  readonly replicas: number | undefined
  readonly isAppendOnly: boolean | undefined
  readonly appendFsync: string | undefined
  readonly maxmemoryPolicy: string | undefined
  /** Of `min-replicas-to-write`: a master with fewer takes no writes. */
  readonly replicasMin: number | undefined
  /** Of `min-replicas-max-lag`: one that answered longer ago does not count. */
  readonly replicaLagMaxMs: number | undefined
  /** A master of a cluster that does not reach most of the others for so long takes no writes. */
  readonly clusterTimeoutMs: number | undefined
}

/** The oldest version, as numbers. */
const VERSION_MIN = [6, 2] as const
const CONFIGURATION = [
  ...['appendonly', 'appendfsync', 'maxmemory-policy'],
  ...['min-replicas-to-write', 'min-replicas-max-lag', 'cluster-node-timeout'],
] as const
/** In a cluster CONFIG answers for any node: of these, one is as good as another. */
const CLUSTER_CONFIGURATION = ['cluster-node-timeout'] as const

/**
 * Reads what the server is, and refuses one that would break L1.
 * @param strict refuses every server that may forget what it acknowledged
 * @throws StoreError `store_unsafe`; also the errors of the connection
 */
export async function checkServer(
  session: Session,
  { strict, leaseTtlMs }: { readonly strict: boolean; readonly leaseTtlMs: number },
): Promise<Safety> {
  const facts = await factsOf(session)
  const refusal = refusalOf(facts)
  if (refusal !== undefined) throw unsafe(session.prefix, refusal)
  const risks = risksOf(facts, leaseTtlMs)
  if (strict && risks.length > 0) throw unsafe(session.prefix, `strict: true refuses it. ${risks.join('. ')}`)
  const { run = '' } = facts
  return { risks, run, mayForget: risks.length > 0, isPromoted: isPromoted(facts) }
}

/** In this process: with an append only file nothing of it outlives a restart. */
function isPromoted({ formerReplication = '' }: ServerFacts): boolean {
  return /[^0]/.test(formerReplication)
}

/** What must never be used, with the remedy. */
export function refusalOf({ version, isReplica, maxmemoryPolicy }: ServerFacts): string | undefined {
  if (version !== undefined && !isNewEnough(version))
    return `Redis ${VERSION_MIN.join('.')} or newer is needed, this is ${version}`
  if (isReplica) return 'the server is a replica, which is behind its master. Connect to the master'
  if (maxmemoryPolicy?.startsWith('allkeys-') === true)
    return `maxmemory-policy ${maxmemoryPolicy} removes rows of any store without a trace. Set maxmemory-policy to noeviction`
  return undefined
}

/** What may be forgotten although it was acknowledged. */
export function risksOf(facts: ServerFacts, leaseTtlMs: number): readonly string[] {
  const { run, isAppendOnly, appendFsync, replicas, isCluster, maxmemoryPolicy } = facts
  const risks: string[] = []
  if (isAppendOnly === false)
    risks.push(
      'appendonly is off: a crash loses everything since the last snapshot. Set appendonly yes and appendfsync always',
    )
  else if (isAppendOnly === undefined || appendFsync === undefined)
    risks.push(
      'appendonly or appendfsync cannot be read: if they are not yes and always, a crash loses what was not on the disk yet',
    )
  else if (appendFsync !== 'always')
    risks.push(`appendfsync is ${appendFsync}: a power cut loses the last second or more. Set appendfsync always`)
  if (isCluster)
    risks.push(
      'it is a cluster: a failover loses what the new master had not received yet',
      ...clusterRisks(facts, leaseTtlMs),
    )
  else if ((replicas ?? 0) > 0)
    risks.push(
      'there are replicas: a failover loses what the new master had not received yet',
      ...replicaRisks(facts, leaseTtlMs),
    )
  else if (replicas === undefined)
    risks.push('replicas cannot be read: with one, a failover loses what it had not received yet')
  if (run === undefined)
    risks.push('the run id cannot be read: a restart or failover that loses writes is not seen. Allow INFO')
  if (maxmemoryPolicy === undefined)
    risks.push('maxmemory-policy cannot be read: under allkeys-… the server removes rows without a trace')
  return risks
}

/** F11: a master that is cut off must stop before the freeze of its successor ends. */
function replicaRisks({ replicasMin = 0, replicaLagMaxMs = Infinity }: ServerFacts, leaseTtlMs: number): string[] {
  if (replicasMin >= 1 && replicaLagMaxMs < leaseTtlMs) return []
  return [
    `a master that is cut off grants beside its successor. Set min-replicas-to-write to 1 or more, and min-replicas-max-lag below the lease lifetime, ${leaseTtlMs} ms`,
  ]
}

/** F11 */
function clusterRisks({ clusterTimeoutMs = Infinity }: ServerFacts, leaseTtlMs: number): string[] {
  if (clusterTimeoutMs < leaseTtlMs) return []
  return [
    `a master that is cut off grants beside its successor for cluster-node-timeout. Set it below the lease lifetime, ${leaseTtlMs} ms`,
  ]
}

/** One text for all risks. */
export function warningOf(prefix: string, { risks }: Pick<Safety, 'risks'>): string {
  return `vsa: the Redis store ${prefix} may forget spending that was acknowledged, and admit it again. ${risks.join('. ')}. strict: true refuses such a server.`
}

async function factsOf(session: Session): Promise<ServerFacts> {
  const sections = list(await session.run({ script: INFO, phase: 'load' })).map(text)
  const info = new Map(
    sections.flatMap((section) =>
      [...section.matchAll(/^([^#:\r\n]+):([^\r\n]*)/gm)].map(([, name = '', value = '']) => [name, value] as const),
    ),
  )
  const config = await configuration(session)
  const aof = config.get('appendonly') ?? info.get('aof_enabled')
  const replicas = info.get('connected_slaves')
  return {
    version: info.get('redis_version'),
    run: info.get('run_id'),
    formerReplication: info.get('master_replid2'),
    isReplica: info.get('role') === 'slave',
    isCluster: session.isCluster || info.get('cluster_enabled') === '1',
    replicas: numberOf(replicas),
    isAppendOnly: aof === undefined ? undefined : aof === 'yes' || aof === '1',
    appendFsync: config.get('appendfsync'),
    maxmemoryPolicy: config.get('maxmemory-policy') ?? info.get('maxmemory_policy'),
    replicasMin: numberOf(config.get('min-replicas-to-write')),
    replicaLagMaxMs: numberOf(config.get('min-replicas-max-lag'), 1_000),
    clusterTimeoutMs: numberOf(config.get('cluster-node-timeout')),
  }
}

function numberOf(digits: string | undefined, unit = 1): number | undefined {
  return digits === undefined ? undefined : Number(digits) * unit
}

/** Many providers refuse CONFIG. */
async function configuration(session: Session): Promise<ReadonlyMap<string, string>> {
  const names = session.isCluster ? CLUSTER_CONFIGURATION : CONFIGURATION
  const found = await Promise.all(names.map(async (name) => [name, await setting(session, name)] as const))
  return new Map(found.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])))
}

/** @returns undefined where it may not be read, or is not known */
async function setting(session: Session, name: string): Promise<string | undefined> {
  try {
    return valueIn(await session.command('CONFIG', ['GET', name]), name)
  } catch (error) {
    if (isReply(error)) return undefined
    throw storeErrorOf(error, session.prefix, 'load')
  }
}

/** Of RESP 2 a list, of RESP 3 an object or a map. */
function valueIn(answer: unknown, name: string): string | undefined {
  const flat: readonly unknown[] = Array.isArray(answer)
    ? answer
    : answer instanceof Map
      ? [...answer].flat()
      : Object.entries(answer ?? {}).flat()
  const texts = flat.map(String)
  const at = texts.indexOf(name)
  return at === -1 ? undefined : texts[at + 1]
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > VERSION_MIN[0] || (major === VERSION_MIN[0] && minor >= VERSION_MIN[1])
}
