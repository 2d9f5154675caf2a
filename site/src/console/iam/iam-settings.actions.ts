/** The action of `<iam-settings>`. Loaded on first use. */
import { iam } from '../../api/api.ts';
import { fetchResult } from '../../api/request.ts';
import { dialogIn } from '../../ui/dialogs/form-dialog.ts';
import { find } from '../../ui/dom.ts';
import { type Notice, success } from '../../ui/panels/notice.ts';
import { durationText } from './duration-text.ts';

/** Asks for the longest duration of credentials and saves it. Returns undefined if the person cancels. */
export async function change(
  root: ParentNode,
  organization_id: string,
  current: number,
): Promise<{ seconds: number; notice: Notice } | undefined> {
  const select = find(root, 'select[name="seconds"]', HTMLSelectElement);
  // The API accepts durations that the form does not offer.
  if (![...select.options].some(({ value }) => value === `${current}`))
    select.add(new Option(durationText(current), `${current}`));
  const saved = await dialogIn(root, 'change').submit(
    ({ seconds = '' }) =>
      fetchResult(() =>
        iam.organizations[':organization_id']['security-settings'].$patch({
          param: { organization_id },
          json: { max_credentials_duration: Number(seconds) },
        }),
      ),
    {},
    { seconds: `${current}` },
  );
  if (!saved) return undefined;
  const seconds = saved.max_credentials_duration;
  const notice =
    seconds === 0
      ? 'New credentials no longer need an expiry.'
      : `New credentials must expire within ${durationText(seconds)}.`;
  return { seconds, notice: success(notice) };
}
