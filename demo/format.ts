// Numbers, days, countries and coordinates as this page writes them.

/** The page is in English, whatever the browser's language. */
const LOCALE = 'en-GB'
const numbers = new Intl.NumberFormat(LOCALE)
const days = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })
const moments = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short' })
const countries = new Intl.DisplayNames([LOCALE], { type: 'region', fallback: 'code' })

export const formatNumber = (value: number): string => numbers.format(value)
export const formatDay = (day: Date): string => days.format(day)
export const formatMoment = (moment: Date): string => moments.format(moment)
export const countryName = (code: string): string => countries.of(code) ?? code

/** "1 note", "2 notes". */
export function formatCount(count: number, one: string): string {
  return `${formatNumber(count)} ${one}${count === 1 ? '' : 's'}`
}

/** Where a place is, in words: "Zurich, Switzerland". */
export function whereabouts({ region, country }: { region: string; country: string }): string {
  return [region, countryName(country)].filter(Boolean).join(', ')
}

export function formatPosition({ lat, lng }: { lat: number; lng: number }): string {
  const side = (value: number, positive: string, negative: string) =>
    `${Math.abs(value).toFixed(2)}° ${value < 0 ? negative : positive}`
  return `${side(lat, 'N', 'S')}, ${side(lng, 'E', 'W')}`
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  const [unit, size] = bytes < 1_000_000 ? ['kB', bytes / 1000] : ['MB', bytes / 1_000_000]
  return `${size.toFixed(size < 10 ? 1 : 0)} ${unit}`
}

export function formatMs(ms: number): string {
  // Clocks of browsers are coarse.
  if (ms < 0.1) return '< 0.1 ms'
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
}

/** The calendar's today, as notes keep a day: midnight UTC. */
export function today(): Date {
  const now = new Date()
  return new Date(Date.UTC(now.getFullYear(), now.getMonth(), now.getDate()))
}
