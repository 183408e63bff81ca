// One instance of the library, whether it is required or imported.
module.exports = require('../dist/hono/index.js')
