/** The tests of packages that need Node 22 or later. */
export const NODE_22_FILES = 'test/**/*.node22.test.ts'

/** Whether this Node is older than that. Its tests cannot even be imported then. */
export const isTooOld: boolean = Number(process.versions.node.split('.')[0]) < 22
