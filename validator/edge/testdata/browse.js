// Opens the pages of a running server in headless Chromium and says what is wrong
// with them, a line each. Usage: node browse.js CHROMIUM URL [FOLDER FOR PICTURES]
'use strict'
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { chromium } = require('playwright-core')
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')

const [executablePath, origin, shots] = process.argv.slice(2)

// How long a busy machine may take for a step, in ms.
const patience = 180000

// Where motion is not reduced, what moves is waited for, once.
const still = { reducedMotion: 'reduce' }

// A desktop at 200 % zoom has half the width and height in CSS pixels, and two
// device pixels for each.
const screens = {
  light: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  dark: { ...still, viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  phone: { ...still, viewport: { width: 390, height: 844 }, colorScheme: 'light', deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  'phone-dark': { ...still, viewport: { width: 390, height: 844 }, colorScheme: 'dark', deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  small: { ...still, viewport: { width: 320, height: 568 }, colorScheme: 'light' },
  text: { ...still, viewport: { width: 320, height: 568 }, colorScheme: 'light', text: 2 }, // of twice the size: WCAG 1.4.4, 1.4.10
  'text-phone': { ...still, viewport: { width: 390, height: 844 }, colorScheme: 'dark', text: 1.25 },
  zoom: { ...still, viewport: { width: 640, height: 400 }, colorScheme: 'light', deviceScaleFactor: 2 },
  contrast: { ...still, viewport: { width: 1280, height: 800 }, colorScheme: 'light', forcedColors: 'active' },
}

// What axe looks at; the others differ in nothing that it sees.
const audited = ['light', 'dark', 'phone', 'zoom']

// One page for each place of failure, and one for operators.
const pages = {
  origin: '/?reason=head-too-large&contact=support@example.com',
  way: '/?reason=connection-timeout',
  edge: '/?reason=',
  line: '/?line',
  browser: '/?content',
  details: '/?reason=field-no-colon&details',
}

const faults = []
const fault = (where, what) => faults.push(`${where}: ${what}`)

async function look (browser, screen, name) {
  const where = `${name}, ${screen}`
  // With a Content-Security-Policy that allows no script, axe gets in only past it.
  const context = await browser.newContext({ ...screens[screen], bypassCSP: true })
  context.setDefaultTimeout(patience)
  const page = await context.newPage()
  await page.goto(origin + pages[name])
  await settled(page)
  await page.evaluate(axe)
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
  if (result.passes.length < 10) fault(where, 'axe had next to nothing to look at')
  for (const v of result.violations) fault(where, `axe: ${v.id}: ${v.help}: ${v.nodes.map(n => n.html).join(' ')}`)
  await context.close()
}

// As a visitor has it: without JavaScript, the policy in force.
async function visit (browser, screen, name) {
  const where = `${name}, ${screen}, without JavaScript`
  const { text = 1, ...options } = screens[screen]
  const context = text === 1
    ? await browser.newContext({ ...options, javaScriptEnabled: false })
    : await enlarged(text, { ...options, javaScriptEnabled: false })
  context.setDefaultTimeout(patience)
  const page = await context.newPage()
  page.on('console', m => { if (!m.text().startsWith('Failed to load resource')) fault(where, m.text()) }) // the page itself is a failure
  page.on('request', r => { if (r.url() !== origin + pages[name] && !r.url().endsWith('/favicon.ico')) fault(where, `asks for ${r.url()}`) })
  const response = await page.goto(origin + pages[name])
  if (response.status() < 400) fault(where, `status ${response.status()}`)
  await settled(page)
  const size = await page.evaluate(() => parseFloat(getComputedStyle(document.documentElement).fontSize))
  if (size !== 16 * text) fault(where, `the text has ${size} pixels`)
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  if (over > 0) fault(where, `${over} pixels stick out at the side`)
  // Of a box, nothing stands outside, above another's text.
  for (const out of await page.evaluate(() => [...document.querySelectorAll('.node, .leg, .advice section, .seen, th, td, dd, h1')]
    .filter(e => e.scrollWidth > e.clientWidth + 1 && !e.matches('.leg')).map(e => `${e.className || e.tagName}: ${e.textContent.slice(0, 40)}`))) {
    fault(where, `sticks out of ${out}`)
  }
  const box = await page.locator('.path').boundingBox()
  if (box === null || box.width > options.viewport.width || (text < 2 && box.height > 250)) fault(where, 'the picture has no style')
  for (const text of ['What you can do', 'ID to quote']) {
    if (!await page.getByText(text).isVisible()) fault(where, `"${text}" is not to be seen`)
  }
  if (!await page.getByRole('img', { name: /[Yy]our browser/ }).isVisible()) fault(where, 'the picture has no words')
  if (shots) await page.screenshot({ path: path.join(shots, `${name}-${screen}.png`), fullPage: true })
  await context.close()
}

// enlarged gives the context of a browser whose user has set another size of text.
async function enlarged (text, options) {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'browse'))
  fs.mkdirSync(path.join(profile, 'Default'))
  fs.writeFileSync(path.join(profile, 'Default', 'Preferences'), JSON.stringify({
    webkit: { webprefs: { default_font_size: 16 * text, default_fixed_font_size: Math.round(13 * text) } },
  }))
  const context = await chromium.launchPersistentContext(profile, { ...options, executablePath, args: ['--no-sandbox'], timeout: patience })
  process.on('exit', () => fs.rmSync(profile, { recursive: true, maxRetries: 50, retryDelay: 100 })) // it may be written for a moment yet
  return context
}

// settled waits for the animations to end.
async function settled (page) {
  await page.evaluate(() => Promise.all(document.getAnimations().map(a => a.finished)))
}

async function main () {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'], timeout: patience })
  let seen = 0
  for (const name in pages) {
    for (const screen in screens) {
      if (audited.includes(screen)) await look(browser, screen, name)
      await visit(browser, screen, name)
      seen++
    }
  }
  await browser.close()
  console.log(`${seen} pages seen, ${faults.length} faults`)
  for (const f of faults) console.log(f)
  process.exitCode = faults.length === 0 && seen > 0 ? 0 : 1
}

main().catch(e => { console.error(e); process.exitCode = 1 })
