"""train it"""
import torch
def train(c):
  m=c.build_model().to(c.device);o=torch.optim.AdamW(m.parameters(),3e-3,(.9,.95));S=c.stream(m,batch_size=16,seq_len=64);N=len(S)
  for i,b in enumerate(S):
    for g in o.param_groups:g['lr']=3e-3*min(1,(i+1)/9)*(1-i/N)
    l=b.loss(m(b.inputs));o.zero_grad();l.backward();o.step()
    if i%20<1:print(i,'%.3f'%l.item())
