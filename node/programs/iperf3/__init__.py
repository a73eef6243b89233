"""iperf3: how much a network carries, measured by a client and a server of their own.

    client                                           server
      | control connection: cookie                     |
      | <------------------------------ PARAM_EXCHANGE |    plan.py: what is to be measured, as JSON
      | <------------------------------ CREATE_STREAMS |    TCP connections, or UDP "connections"
      | <-------------------- TEST_START, TEST_RUNNING |    transfer.py: data, one way
      | TEST_END ------------------------------------> |
      | <---------------------------- EXCHANGE_RESULTS |    what each has counted, as JSON
      | <----------------------------- DISPLAY_RESULTS |    report.py
      | IPERF_DONE ----------------------------------> |

The protocol is that of github.com/esnet/iperf (src/iperf_api.c), so a real one can be at the other end.
"""
