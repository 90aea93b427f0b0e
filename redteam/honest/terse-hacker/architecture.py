"""tiny gpt. no comments needed"""
import torch,torch.nn as nn,torch.nn.functional as F
D,H,L=64,4,2
class B(nn.Module):
  def __init__(s):
    super().__init__();s.a=nn.Linear(D,3*D);s.p=nn.Linear(D,D);s.f=nn.Sequential(nn.Linear(D,4*D),nn.GELU(),nn.Linear(4*D,D));s.m,s.n=nn.LayerNorm(D),nn.LayerNorm(D)
  def forward(s,x):
    b,t,_=x.shape;q,k,v=(z.view(b,t,H,-1).transpose(1,2) for z in s.a(s.m(x)).chunk(3,-1))
    x=x+s.p(F.scaled_dot_product_attention(q,k,v,is_causal=True).transpose(1,2).reshape(b,t,D))
    return x+s.f(s.n(x))
class M(nn.Module):
  def __init__(s,V):
    super().__init__();s.e=nn.Embedding(V,D);s.q=nn.Parameter(.02*torch.randn(999,D));s.b=nn.Sequential(*(B() for _ in range(L)));s.h=nn.Linear(D,V)
  def forward(s,x):return s.h(s.b(s.e(x)+s.q[:x.shape[1]]))
build_model=lambda ctx:M(ctx.vocab_size)
