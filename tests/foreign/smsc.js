// An SMSC over the npm package `smpp`: PORT CERT KEY CA LOG. It writes one JSON line for each thing that happens.
const fs = require('fs');
const smpp = require('smpp');
const [port, cert, key, ca, log] = process.argv.slice(2);
const tell = (what) => fs.appendFileSync(log, JSON.stringify(what) + '\n');
let last = 0;

function sendReceipt(session, pdu, id) {
  const minute = new Date().toISOString().replace(/[-:T]/g, '').slice(2, 12);
  const receipt = {
    source_addr: pdu.destination_addr,
    source_addr_ton: 1,
    source_addr_npi: 1,
    destination_addr: pdu.source_addr,
    esm_class: 4,
    short_message: `id:${id} sub:001 dlvrd:001 submit date:${minute} done date:${minute} stat:DELIVRD err:000 text:`,
  };
  session.deliver_sm(receipt, (answer) => tell({ receipt: id, status: answer.command_status }));
}

const tls = {
  cert: fs.readFileSync(cert),
  key: fs.readFileSync(key),
  ca: fs.readFileSync(ca),
  requestCert: true,
  rejectUnauthorized: true,
};
const server = smpp.createServer(tls, (session) => {
  session.on('error', (error) => tell({ error: error.message }));
  session.on('bind_transceiver', (pdu) => {
    tell({ bind: pdu.system_id, certificate: session.socket.getPeerCertificate().subject.CN });
    session.send(pdu.response({ system_id: 'foreign' }));
  });
  for (const kind of ['bind_transmitter', 'bind_receiver']) {
    session.on(kind, (pdu) => session.send(pdu.response({ system_id: 'foreign' })));
  }
  session.on('submit_sm', (pdu) => {
    const id = `f-${++last}`;
    tell({ submit: id, to: pdu.destination_addr, text: pdu.short_message.message });
    session.send(pdu.response({ message_id: id }));
    if (pdu.registered_delivery & 3) setTimeout(() => sendReceipt(session, pdu, id), 200);
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close();
  });
});
server.on('tlsClientError', (error) => tell({ tls: error.message }));
server.listen(Number(port), '127.0.0.1');
