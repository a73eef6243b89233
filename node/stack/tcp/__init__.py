"""TCP of one stack (RFC 9293), sans-IO.

Tcp            whom a segment is for; ports, listeners, timers
  Connection   the states from SYN to TIME_WAIT
    SendSide     what was written: windows, retransmission
      Congestion   how much the path takes
      RoundTrip    how long an answer takes
    ReceiveSide  what came in: order, and the window that is offered
"""
