import { verify } from '../verify.js'
import { load } from './load.js'

await load('app-after.js')
verify('credits.db')
