import { Redis } from 'ioredis'
import type { Meter } from './meter.ts'

const SCRIPTS = /^cmdstat_(?:eval|evalsha|fcall|decr):calls=(\d+)/gm
const WRITES =
  /^cmdstat_(?:set|incr|incrby|decr|hset|hincrby|hdel|del|unlink|expire|pexpire|persist|zadd|zrem|sadd|srem|xadd|lpush|rpush):calls=(\d+)/gm

/**
 * By the server's own counts, which are of the whole server: it does nothing else meanwhile. Commands inside of a script are counted by their own names, and
 * one script is one call. It counts neither its syncs nor the fields that a command writes.
 * @param asksBy what one call is: a script, or a command that writes
 */
export function redisMeter(url: string, asksBy: 'scripts' | 'commands'): Meter {
  const client = new Redis(url)
  return {
    read: async () => {
      const text = await client.info('everything')
      return {
        calls: sumOf(text, asksBy === 'scripts' ? SCRIPTS : WRITES),
        rows: null,
        bytesWritten: Number(/^aof_current_size:(\d+)/m.exec(text)?.[1]),
        syncs: null,
        serverCpuMs: 1_000 * (secondsOf(text, 'sys') + secondsOf(text, 'user')),
        isWholeServer: true,
      }
    },
    end: async () => void (await client.quit()),
  }
}

function sumOf(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((sum, [, calls]) => sum + Number(calls), 0)
}

function secondsOf(text: string, kind: string): number {
  return Number(new RegExp(`^used_cpu_${kind}:([0-9.]+)`, 'm').exec(text)?.[1])
}
