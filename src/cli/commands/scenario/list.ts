import { listScenarios, loadScenario } from '../../../drill/load.js';
import { BatonCommand } from '../../command.js';
import { table } from '../../output/table.js';

interface Listed {
  name: string;
  title: string;
  labs: string[];
  why?: string;
}

export default class ScenarioList extends BatonCommand {
  static override summary = 'show the scenarios that come with baton';
  static override examples = ['<%= config.bin %> <%= command.id %>'];
  static override enableJsonFlag = true;

  async run(): Promise<Listed[]> {
    await this.parse(ScenarioList);
    const all = listScenarios().map((name): Listed => {
      const { title, labs, why } = loadScenario(name);
      return { name, title, labs, ...(why === undefined ? {} : { why }) };
    });
    const rows = all.map(({ name, title, labs, why }) => [
      name,
      labs.join(', '),
      why === undefined ? title : `${title} (${why})`,
    ]);
    for (const line of table([{ title: 'NAME' }, { title: 'LABS' }, { title: 'STORY' }], rows)) this.log(line);
    return all;
  }
}
