import { chromium } from '@playwright/test'
const [what, scheme='dark', size='wide', url='http://127.0.0.1:4319'] = process.argv.slice(2)
const sizes={wide:{width:1440,height:900},phone:{width:390,height:844}}
const b=await chromium.launch({executablePath:'/usr/bin/chromium',args:['--no-sandbox']})
const c=await b.newContext({colorScheme:scheme,viewport:sizes[size]})
for (const one of what.split(',')) {
  const [path,...steps]=one.split('|')
  const p=await c.newPage()
  p.on('console',m=>['error','warning'].includes(m.type())&&console.log(path,m.type(),m.text().slice(0,300)))
  p.on('pageerror',e=>console.log(path,'pageerror',e.message))
  await p.goto(url+'/'+path)
  await p.waitForTimeout(3500)
  for (const s of steps) { const [k,v]=s.split('='); if(k==='click') await p.getByText(v,{exact:true}).first().click({timeout:4000}).catch(e=>console.log(e.message.slice(0,200))); if(k==='btn') await p.getByRole('button',{name:v}).first().click({timeout:4000}).catch(e=>console.log(e.message.slice(0,200))); if(k==='wait') await p.waitForTimeout(+v); if(k==='full') await p.evaluate(()=>{document.querySelector('main').scrollTop=1e6}); if(k==='key') await p.keyboard.press(v); if(k==='type') await p.keyboard.type(v); if(k==='fill'){const [l,t]=v.split('~'); await p.getByLabel(l).first().fill(t)}}
  await p.waitForTimeout(800)
  const name=one.replace(/[^a-z0-9]+/gi,'-').slice(0,50)
  await p.screenshot({path:`/tmp/sf-ops/shots/${name}-${scheme}-${size}.png`})
  const sw=await p.evaluate(()=>[document.documentElement.scrollWidth,document.documentElement.clientWidth, document.querySelector('main').scrollWidth, document.querySelector('main').clientWidth])
  console.log(name, sw.join(' '))
  await p.close()
}
await b.close()
