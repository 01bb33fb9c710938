import { webkit } from './engines/webkit.js'
import { scenarios } from './scenarios.js'

scenarios(webkit, { keepsItsProfile: false, tellsOfStorage: false })
