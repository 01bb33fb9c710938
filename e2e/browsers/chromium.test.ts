import { chromium } from './engines/chromium.js'
import { scenarios } from './scenarios.js'

scenarios(chromium, { keepsItsProfile: true, tellsOfStorage: true })
