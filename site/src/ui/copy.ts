import { failure, type Notice, success } from './panels/notice.ts';

/** Copies a text to the clipboard. Returns the outcome. */
export function copyText(text: string): Promise<Notice> {
  return (navigator.clipboard?.writeText(text) ?? Promise.reject()).then(
    () => success('Copied'),
    () => failure('The browser does not allow copying here. Select the text and copy it instead.'),
  );
}
