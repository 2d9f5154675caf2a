/** The Markdown version of a page has all its text, and nothing that only works on a screen. */
import { expect, it } from 'vitest';
import { readPage } from '../../site/src/build/page-markdown.ts';
import { twinOf } from '../../site/src/build/twins.ts';

const page = (prose: string) =>
  readPage(
    '/concepts/',
    `<meta name="description" content="What the words mean."><h1 id="_top">Concepts</h1><div class="sl-markdown-content">${prose}</div>`,
  ).markdown;

it('the Markdown version begins with the title and the description', () => {
  expect(page('<p>Text.</p>')).toBe('# Concepts\n\nWhat the words mean.\n\nText.\n');
});

it('the Markdown version keeps code unchanged, with its language', () => {
  const block =
    '<div class="expressive-code"><figure><pre data-language="sh"><code><div>npm</div></code></pre><button data-code="npm start\u007fnpm test"></button></figure></div>';
  expect(page(block)).toContain('```sh\nnpm start\nnpm test\n```');
});

it('the Markdown version shows all tabs, each under its label', () => {
  const tabs =
    '<starlight-tabs><ul><li><a role="tab">Node.js</a></li><li><a role="tab">Go</a></li></ul><div role="tabpanel"><p>one</p></div><div role="tabpanel" hidden><p>two</p></div></starlight-tabs>';
  expect(page(tabs)).toContain('**Node.js**\n\none\n\n**Go**\n\ntwo\n');
});

it('the Markdown version keeps text for screen readers and omits hidden elements', () => {
  const text = page(
    '<p>Write: <span aria-hidden="true">–</span><span class="sr-only">No</span></p><form><label>Name</label><input></form><p role="status">Copied</p><p hidden>later</p><template>x</template>',
  );
  expect(text).toBe('# Concepts\n\nWhat the words mean.\n\nWrite: No\n');
});

it('the Markdown version has the description of a picture once', () => {
  const picture =
    '<figure class="picture" data-description="Rotation. Two bars."><svg><text>Old</text></svg><svg><text>Old</text></svg></figure>';
  expect(page(picture)).toBe('# Concepts\n\nWhat the words mean.\n\nPicture: Rotation. Two bars.\n');
});

it('a page without text is rejected, so that no Markdown version is empty', () => {
  expect(() => readPage('/x/', '<h1 id="_top">X</h1>')).toThrow('no prose');
});

it('the Markdown version has the path of its page', () => {
  expect([twinOf('/'), twinOf('/how-to/connect-nats/')]).toEqual(['/index.md', '/how-to/connect-nats.md']);
});
