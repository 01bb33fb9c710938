import { firefox } from './engines/firefox.js'
import { scenarios } from './scenarios.js'

scenarios(firefox, { keepsItsProfile: true, tellsOfStorage: true })
