import { load } from './load.js'

await load('app-before.js')
