// SPDX-License-Identifier: Apache-2.0

/// The pages' Mustache templates. `{{name}}` is escaped.
enum StatementTemplates {
    static let style = """
        body { font: 14px/1.45 system-ui, sans-serif; color: #1a1a1a; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
        h1 { font-size: 1.5rem; margin-bottom: 0 } h2 { font-size: 1.15rem; margin: 2rem 0 .4rem }
        small, .en { color: #595959; font-weight: normal; font-size: .85em } .en, .d { display: block }
        table { border-collapse: collapse; width: 100%; margin: .4rem 0 1rem }
        th, td { text-align: left; vertical-align: top; padding: .3rem .5rem; border-bottom: 1px solid #ccc }
        th { background: #f0f0f0 } .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
        tfoot td { font-weight: 600; border-top: 2px solid #666 } .note { border-left: 3px solid #a66a00; padding-left: .6rem }
        .t { overflow-x: auto } .w { white-space: nowrap } nav { font-size: .9em }
        .g { display: grid; grid-template-columns: repeat(5, 1fr); gap: .4rem; margin: .4rem 0 1rem }
        .g div { background: #f0f0f0; padding: .3rem .5rem } .g strong { font-variant-numeric: tabular-nums }
        @media (max-width: 40rem) { .g { grid-template-columns: repeat(2, 1fr) } }
        .hash { font-family: monospace; font-size: .8em; overflow-wrap: anywhere }
        @media print { body { margin: 0; padding: 0; max-width: none; font-size: 9pt } .t { overflow: visible }
            nav { display: none } h2 { break-after: avoid } .g { grid-template-columns: repeat(5, 1fr) }
            .g div { break-inside: avoid } th, td { padding: .2rem .3rem }
            thead { display: table-header-group } tfoot { display: table-row-group } tr { break-inside: avoid } a { color: inherit; text-decoration: none } }
        @page { margin: 15mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt system-ui, sans-serif } }
        """

    static let statement = """
        <!doctype html>
        <html lang="es"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <title>{{title}} {{period}} · contrato {{contract}}</title><style>{{{style}}}</style></head><body>
        <nav><a href="../index.html">← {{monthTitle}} {{period}} <small>{{monthTitleInEnglish}}</small></a></nav>
        <h1>{{title}} {{period}} <small>{{titleInEnglish}}</small></h1>
        {{#stage}}<p class="note">{{note}}<span class="en" lang="en">{{english}}</span></p>{{/stage}}
        <p>{{agency}} {{agencyName}} · contrato <small>contract</small> {{contract}} · {{number}} · licitación
        <small>tender</small> {{tender}}<br>Tarifa <small>fee schedule</small> <span class="w">{{feeSchedule}}</span> · penas
        <small>penalty schedule</small> <span class="w">{{penaltySchedule}}</span></p>
        <div class="t"><table><thead><tr><th class="n">Honorarios<span class="en">Fees</span></th>
        <th class="n">IVA<span class="en">on fees</span></th><th class="n">Penas<span class="en">Penalties</span></th>
        <th class="n">IVA<span class="en">on penalties</span></th><th class="n">A pagar<span class="en">Payable</span></th>
        </tr></thead><tbody>{{#totals}}<tr><td class="n">{{fees}}</td><td class="n">{{taxOnFees}}</td>
        <td class="n">{{penalties}}</td><td class="n">{{taxOnPenalties}}</td><td class="n"><strong>{{payable}}</strong></td>
        </tr>{{/totals}}</tbody></table></div>
        {{#sections}}
        <section><h2>{{title}} <small>{{titleInEnglish}}</small></h2>
        {{#indicators}}
        <div class="g">
        {{#items}}<div>{{name}} <small>{{english}}</small><br><strong>{{figure}}</strong></div>
        {{/items}}</div>
        <p>Gestiones <small>outcomes</small> {{outcomes}} · válidas <small>valid</small> {{valid}} · sin revisión
        <small>unreviewed</small> {{pending}} · devueltas <small>returned</small>
        {{returned}}{{#reasons}}{{comma}}{{reason}} <small>{{token}}</small> {{count}}{{/reasons}} · pagos recibidos
        <small>recovered</small> {{recovered}}</p>
        {{/indicators}}
        {{#hasBands}}
        <div class="t"><table><thead><tr><th>Franja de mora<span class="en">Band of arrears</span></th>
        <th class="n">Mora asignada<span class="en">Overdue assigned</span></th><th class="n">Mora recuperada<span class="en">Overdue
        recovered</span></th><th class="n">Logro<span class="en">Reached</span></th><th class="n">Mínimo<span class="en">Minimum</span></th>
        <th>Meta<span class="en">Goal</span></th></tr></thead><tbody>
        {{#bands}}<tr><td>{{rule}} {{label}}</td><td class="n">{{assigned}}</td><td class="n">{{recovered}}</td>
        <td class="n">{{percent}}</td><td class="n">{{minimum}}</td><td>{{verdict}} <small>{{english}}</small></td></tr>
        {{/bands}}</tbody></table></div>
        {{/hasBands}}
        {{#notes}}<p class="note">{{note}}<span class="en" lang="en">{{english}}</span></p>{{/notes}}
        {{#hasLines}}
        <div class="t"><table><thead><tr><th>Regla<span class="en">Rule</span></th><th>Cláusula y cálculo<span class="en">Clause and
        arithmetic</span></th><th class="n">Base</th><th class="n">Tasa<span class="en">Rate</span></th>
        <th class="n">Importe<span class="en">Amount</span></th></tr></thead><tbody>
        {{#lines}}
        <tr><td>{{rule}}{{#hasRuleName}} {{ruleName}}<span class="en">{{ruleNameInEnglish}}</span>{{/hasRuleName}}
        {{^hasRuleName}}<br>{{/hasRuleName}}<small class="w">{{schedule}}</small></td>
        <td>{{#hasSubject}}<strong>{{subject}}</strong>{{#hasSubjectInEnglish}}
        <small>{{subjectInEnglish}}</small>{{/hasSubjectInEnglish}}<br>{{/hasSubject}}{{clause}}<br>
        <small>{{arithmetic}}</small>
        <span class="en" lang="en">{{clauseInEnglish}} {{sumInEnglish}}</span>
        {{#hasFacts}}<small class="d">Hechos (facts): {{facts}}</small>{{/hasFacts}}
        {{#hasRecords}}<small class="d">Registros (records) {{records}}</small>{{/hasRecords}}</td>
        <td class="n">{{base}}</td><td class="n">{{rate}}</td><td class="n">{{amount}}</td></tr>
        {{/lines}}
        {{#hasIdle}}<tr><td colspan="5"><small>Renglones de 0.00, que están en los archivos JSON y CSV: {{idle}}
        <span class="en" lang="en">Lines of 0.00, which the JSON and CSV files have: {{idle}}</span></small></td></tr>
        {{/hasIdle}}</tbody><tfoot>{{#totals}}<tr><td colspan="4">A pagar <small>Payable</small></td>
        <td class="n">{{payable}}</td></tr>{{/totals}}</tfoot></table></div>
        {{/hasLines}}
        </section>
        {{/sections}}
        <p><small>Importes en pesos mexicanos; el IVA se redondea por sección. Amounts are Mexican pesos; IVA is rounded per
        section.</small></p>
        <p class="hash">SHA-256 {{digest}}</p>
        </body></html>

        """

    /// What tells a page of a month's close, or of a list of its statements, from one of another month.
    static func title(_ period: String) -> String { "<title>Cierre \(period)</title>" }

    /// What tells a month's page from one of other statements, such as a preview's.
    static func seal(_ seal: String) -> String { "<meta name=\"statements\" content=\"\(seal)\">" }

    /// The statements of a month with their totals, up to where each page ends the table.
    private static let contractRows = """
        <div class="t"><table><thead><tr><th>Contrato<span class="en">Contract</span></th><th>Agencia<span class="en">Agency</span></th>
        <th class="n">Honorarios<span class="en">Fees</span></th><th class="n">IVA</th>
        <th class="n">Penas<span class="en">Penalties</span></th><th class="n">IVA</th>
        <th class="n">A pagar<span class="en">Payable</span></th></tr></thead><tbody>
        {{#contracts}}<tr><td><a href="statements/C{{contract}}.html">{{contract}}</a> {{number}}<br><small><a
        href="statements/C{{contract}}.csv">CSV</a> · <a href="statements/C{{contract}}.json">JSON</a></small></td>
        <td>{{agency}} {{agencyName}}</td>{{#totals}}<td class="n">{{fees}}</td><td class="n">{{taxOnFees}}</td>
        <td class="n">{{penalties}}</td><td class="n">{{taxOnPenalties}}</td><td class="n">{{payable}}</td>{{/totals}}</tr>
        {{/contracts}}</tbody>
        """

    /// Where only statements are, they lead to this in the place of the month's page.
    static let list = """
        <!doctype html>
        <html lang="es"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <title>{{title}} {{period}}</title><style>{{{style}}}</style></head><body>
        <h1>{{title}} {{period}} <small>{{titleInEnglish}}</small></h1>
        {{#stage}}<p class="note">{{note}}<span class="en" lang="en">{{english}}</span></p>{{/stage}}
        {{^stage}}<p>Estados de cuenta tal como se cerraron; la página del mes la escribe el cierre. <span class="en" lang="en">Statements as they were
        closed; the month's page is written by the close.</span></p>{{/stage}}
        \(contractRows)</table></div>
        </body></html>

        """

    static let month = """
        <!doctype html>
        <html lang="es"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <title>{{title}} {{period}}</title><meta name="statements" content="{{seal}}"><style>{{{style}}}</style></head><body>
        <h1>{{title}} {{period}} <small>{{titleInEnglish}}</small></h1>
        {{#stage}}<p class="note">{{note}}<span class="en" lang="en">{{english}}</span></p>{{/stage}}
        {{#warnings}}<p class="note">{{note}}<span class="en" lang="en">{{english}}</span></p>{{/warnings}}
        <h2>Estrategias <small>Strategies</small></h2>
        <div class="t"><table><thead><tr><th>Estrategia<span class="en">Strategy</span></th><th class="n">Segmentadas<span
        class="en">Placed</span></th><th class="n">Repartidas<span class="en">Dealt</span></th>
        <th class="n">Tomadas<span class="en">Leased</span></th><th class="n">Trabajadas<span class="en">Worked</span></th>
        <th class="n">Gestiones<span class="en">Outcomes</span></th><th class="n">Recuperado<span
        class="en">Recovered</span></th></tr></thead><tbody>
        {{#strategies}}<tr><td>{{name}} <small>{{english}}</small></td><td class="n">{{placed}}</td><td class="n">{{dealt}}</td>
        <td class="n">{{leased}}</td><td class="n">{{worked}}</td><td class="n">{{outcomes}}</td>
        <td class="n">{{recovered}}</td></tr>
        {{/strategies}}</tbody><tfoot>{{#total}}<tr><td>Total</td><td class="n">{{placed}}</td><td class="n">{{dealt}}</td>
        <td class="n">{{leased}}</td><td class="n">{{worked}}</td><td class="n">{{outcomes}}</td>
        <td class="n">{{recovered}}</td></tr>{{/total}}</tfoot></table></div>
        <p><small>Aquí cada cuenta cuenta una vez en el mes, aunque se haya repartido o tomado otra vez; los estados de cuenta suman lo que cada contrato
        recibió y tomó. <span class="en" lang="en">An account counts once here, however often it was dealt or leased again; statements add up what each
        contract was dealt and pulled.</span></small></p>
        {{#hasGap}}<p>{{gap}} segmentadas y no repartidas: {{leftOver}} que el plan dejó sin contrato con capacidad o fianza, que una
        fianza recortó o que se detuvieron antes; {{startedInVain}} que iniciaron en el mes sin que un contrato tuviera lugar.
        <span class="en">Placed and not dealt: {{leftOver}} left over by the plan for want of room or bond, trimmed by a bond, or
        stopped first; {{startedInVain}} started within the month, and no contract had room left.</span></p>{{/hasGap}}
        <h2>Cuentas del corte <small>Accounts of the cut</small></h2>
        <div class="t"><table><tbody>{{#cut}}
        <tr><td>Segmentadas del corte, sin los inicios del mes <small>placed: of the cut, without the starts within the
        month</small></td><td class="n">{{placed}}</td></tr>
        <tr><td>Sin cobranza, excluidas por una regla de la política <small>not collected on: excluded by a rule of the
        policy</small></td><td class="n">{{excluded}}</td></tr>
        <tr><td>Sin nada que cobrar <small>had nothing to collect</small></td><td class="n">{{nothing}}</td></tr>
        <tr><td><strong>Total del corte</strong> <small>accounts of the cut</small></td>
        <td class="n"><strong>{{accounts}}</strong></td></tr>{{/cut}}{{^hasCut}}
        <tr><td>Sin cobranza, excluidas por una regla de la política <small>not collected on: excluded by a rule of the
        policy</small></td><td class="n">{{excluded}}</td></tr>{{/hasCut}}
        </tbody></table></div>
        <h2>Honorarios por servicio <small>Fees by service</small></h2>
        <div class="t"><table><thead><tr><th>Servicio<span class="en">Service</span></th><th class="n">Cuentas<span
        class="en">Accounts</span></th><th class="n">Importe<span class="en">Amount</span></th></tr></thead><tbody>
        {{#services}}<tr><td>{{service}} <small>{{english}}</small></td><td class="n">{{accounts}}</td>
        <td class="n">{{amount}}</td></tr>
        {{/services}}{{#bands}}<tr><td>{{rule}} mora {{label}} <small>arrears</small></td><td class="n"></td>
        <td class="n">{{amount}}</td></tr>
        {{/bands}}{{#feeChanges}}<tr><td>{{name}} <small>{{english}}</small></td><td class="n"></td>
        <td class="n">{{amount}}</td></tr>
        {{/feeChanges}}</tbody><tfoot><tr><td colspan="2">Total</td><td class="n">{{feesTotal}}</td></tr></tfoot></table></div>
        <h2>Penas por regla <small>Penalties by rule</small></h2>
        <div class="t"><table><thead><tr><th>Regla<span class="en">Rule</span></th><th class="n">Renglones<span
        class="en">Lines</span></th><th class="n">Participación<span class="en">Share</span></th><th class="n">Importe<span
        class="en">Amount</span></th></tr></thead><tbody>
        {{#penalties}}<tr><td>{{rule}} <small>{{english}}</small></td><td class="n">{{lines}}</td><td class="n">{{percent}}</td>
        <td class="n">{{amount}}</td></tr>
        {{/penalties}}{{#penaltyChanges}}<tr><td>{{name}} <small>{{english}}</small></td><td class="n">{{lines}}</td><td></td>
        <td class="n">{{amount}}</td></tr>
        {{/penaltyChanges}}</tbody><tfoot><tr><td colspan="3">Total</td><td class="n">{{penaltiesTotal}}</td></tr></tfoot></table></div>
        <h2>Contratos <small>Contracts</small></h2>
        \(contractRows)<tfoot>{{#totals}}<tr><td colspan="2">Total</td><td class="n">{{fees}}</td>
        <td class="n">{{taxOnFees}}</td><td class="n">{{penalties}}</td><td class="n">{{taxOnPenalties}}</td>
        <td class="n">{{payable}}</td></tr>{{/totals}}</tfoot></table></div>
        <p><small>Importes en pesos mexicanos <span lang="en">(Mexican pesos)</span>. El IVA se redondea por sección de cada estado de cuenta, así que puede diferir en centavos de la tasa sobre
        una suma. IVA is rounded in each section of a statement, so it can differ by centavos from the rate of a sum.</small></p>
        <p>Tablas <small>tables</small>: <a href="fees.csv">fees.csv</a> · <a href="penalties.csv">penalties.csv</a> ·
        <a href="summary.json">summary.json</a></p>
        </body></html>

        """
}
